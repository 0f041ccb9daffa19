import { serverEngine, takeToken } from './api.js';
import { startPage } from './page.js';

/** The page that a server hands out: the server computes. */
takeToken();
startPage(serverEngine);
