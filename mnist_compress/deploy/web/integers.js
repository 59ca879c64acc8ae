// Every number of the decoder and of the network is whole and below 2**53, so a double holds it
// exactly. >> would cut it to 32 bits: floor(number / 2 ** bits) stands for number >> bits.
export const floor = Math.floor;
