// The study from its own server.

import { start } from "./main.js";
import { ServerUploads } from "./uploads.js";

start(async () => new ServerUploads());
