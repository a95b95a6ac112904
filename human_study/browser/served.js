// The study from its own server, or, where the page holds a session, without any.

import { part, start } from "./main.js";
import { NoUploads, ServerUploads } from "./uploads.js";

const isFile = document.getElementById("admission") !== null;
start(async () => (isFile ? new NoUploads(await (await part("admission")).json()) : new ServerUploads()));
