// The page's script. loader.js runs before it and leaves PACKED, the bytes of a packed file; the
// build puts MARKUP in, page.css and pad.html.
import {decode} from "./decoder.js";
import {readHeader} from "./header.js";
import {integerNetwork} from "./network.js";
import {startPad} from "./pad.js";
import {tracer} from "./trace.js";

document.querySelector("main").insertAdjacentHTML("afterbegin", MARKUP);
const [tied, widths, layers, stream] = readHeader(PACKED);
const activations = integerNetwork(decode(tied, widths, layers, stream));
startPad(document, tracer(widths, layers, activations));
