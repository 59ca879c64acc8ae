// An explorer without a kernel: its pictures were recorded for all that its controls can be.

import {bytes, load} from "./load.js";
import {Model} from "./model.js";

// name: that of its data scripts; opens: what the explorer shows before anybody moves a control
export function explorer(name, opens) {
  const places = (values) => opens.controls.map((control) =>
    control.values.indexOf(values[control.name])).join(",");
  return new Model({...opens, png: bytes(opens.png), answered: ""}, {
    async asked(model, {values, question}) {
      const after = {...model.get("values"), ...values};
      try {
        const [sentence, png] = await load(`${name}/${places(after)}`);
        model.set({values: after, sentence, png: bytes(png), problem: ""});
      } catch (error) {
        model.set({problem: error.message});
      }
      model.set({answered: question});
    },
  });
}
