// Which form shows which kind of page.

import { ChoiceForm, Form, ScaleForm, SeveralForm } from "./forms.js";
import { TypedForm } from "./typed_form.js";

/** @typedef {import("./forms.js").Filling} Filling */
/** @typedef {import("./types.js").Page} Page */

const KINDS = {
  choice: ChoiceForm, scale: ScaleForm, several: SeveralForm, text: TypedForm, number: TypedForm, plate: TypedForm,
};

/** Any page but that of keys. @param {Page} page @param {Filling} filling @param {any} [former]  an earlier answer @returns {Form} */
export function formOf(page, filling, former) {
  const Kind = KINDS[/** @type {keyof typeof KINDS} */ (page.kind)];
  return Kind ? new Kind(page, filling, former) : new Form(page, filling);
}
