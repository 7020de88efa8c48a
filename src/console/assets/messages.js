// Every text of the page, in each language. What the function itself writes - reasons, facts, records - is not
// translated: it is shown as it stands in the record.

import { en } from "./messages.en.js";
import { zh } from "./messages.zh-CN.js";

export const LANGUAGES = { en, "zh-CN": zh };
