// Keys that work on the whole page. Single letters can be switched off.

const inText = (target) =>
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && ["number", "search", "text", "password"].includes(target.type));

export class Shortcuts {
  /** @param table rows [keys, text, action, isSingle] */
  constructor(table, { list, dialog, switchOff }) {
    this.table = table;
    this.switchOff = switchOff;
    this.dialog = dialog;
    list.replaceChildren(
      ...table.flatMap(({ shown, text }) => {
        const term = document.createElement("dt");
        term.append(
          ...shown.flatMap((key, i) => {
            const kbd = document.createElement("kbd");
            kbd.textContent = key;
            return i ? [" ", kbd] : [kbd];
          }),
        );
        const detail = document.createElement("dd");
        detail.textContent = text;
        return [term, detail];
      }),
    );
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (this.dialog.open || event.defaultPrevented) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    for (const { keys, action, isControl = false } of this.table) {
      if (!keys?.includes(key) || (isControl && !control)) continue;
      if (!isControl) {
        const isSingle = key.length === 1;
        if (control || event.altKey || inText(event.target)) continue;
        if (isSingle && !this.switchOff.checked) continue;
      }
      event.preventDefault();
      action(event, key);
      return;
    }
  }
}
