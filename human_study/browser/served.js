// The study from its own server, or, where the page holds a session, without any.

import { start, text } from "./main.js";
import { NoUploads, ServerUploads } from "./uploads.js";

const admission = text("admission");
start(() => (admission ? new NoUploads(JSON.parse(admission)) : new ServerUploads()));
