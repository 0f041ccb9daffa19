import { serverEngine } from './api.js';
import { startPage } from './page.js';
import { takeToken } from './requests.js';

/** Entry point of the page served by `serve`, with the engine on the server. */
takeToken();
startPage(serverEngine);
