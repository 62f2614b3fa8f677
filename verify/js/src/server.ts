/** What an app's server needs besides the core: middleware, the roots and keys of a server, and asking it to verify. */

export {
  requireHuman,
  requireHumanExpress,
  type ExpectedOf,
  type ExpressRequest,
  type ExpressResponse,
  type Human,
} from './server/middleware.js';
export { fetchKeys, RootsClient, type ClientOptions, type NamedKey } from './server/published.js';
export { problem, problemResponse, type Problem, type ProblemCode } from './server/problem.js';
export { verifyRemotely } from './server/remote.js';
