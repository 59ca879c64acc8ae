// What a widget's page talks to where there is no kernel: traits, and functions that answer.

export class Model {
  // traits: {name: value}. saved(model, before): called when the page has set traits;
  // asked(model, message): called when the page has sent a message.
  constructor(traits, {saved = () => {}, asked = () => {}} = {}) {
    Object.assign(this, {traits: {problem: "", ...traits}, saved, asked, listeners: {}});
    this.before = {...this.traits};
  }
  get(name) { return this.traits[name]; }
  on(event, listener) { (this.listeners[event] ??= []).push(listener); }
  emit(event, value) { for (const listener of this.listeners[event] ?? []) listener(value); }

  set(values) {
    const changed = Object.keys(values).filter((name) => this.traits[name] !== values[name]);
    Object.assign(this.traits, values);
    for (const name of changed) this.emit(`change:${name}`);
  }
  save_changes() {
    const before = this.before;
    this.before = {...this.traits};
    this.saved(this, before);
    this.before = {...this.traits};
  }
  send(message) {
    if (message.ping) queueMicrotask(() => this.emit("msg:custom", {pong: true}));
    else this.asked(this, message);
  }
}
