import express, { type NextFunction, type Request, type Response } from 'express';
import type { PluginHandler } from './plugins/plugin.ts';
import { ViewRequest } from './view-request.ts';
import { ViewResponse } from './view-response.ts';

/** The settings that Express's methods look up. */
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.disable('query parser');

/** Request and response with Express's methods: fixed classes, because exchanging prototypes for each request is slow. */
export class ExpressRequest extends ViewRequest {
  res: ExpressResponse | undefined;
  next: NextFunction | undefined;
}
export class ExpressResponse extends ViewResponse {
  locals: Record<string, unknown> = Object.create(null);
}
Object.defineProperties(ExpressRequest.prototype, methodsOf(express.request));
Object.defineProperties(ExpressResponse.prototype, methodsOf(express.response));
// What an app gives the requests that pass it inherits from its parent's: ours have no connection of their own.
app.request = ExpressRequest.prototype as unknown as Request;
app.response = ExpressResponse.prototype as unknown as Response;

function methodsOf(prototype: object): PropertyDescriptorMap {
  return { ...Object.getOwnPropertyDescriptors(prototype), app: { value: app, configurable: true, writable: true } };
}

/** Makes Express apps work as middleware, as `app.use(app)` does, those inside routers too; leaves other handlers as they are. */
export function mount(handler: PluginHandler): void {
  if ('handle' in handler && 'set' in handler && 'emit' in handler && typeof handler.emit === 'function') {
    handler.emit('mount', app);
    return;
  }
  // A router that is given an app does not mount it: its requests would become those of node:http, without a connection.
  const { stack } = handler as { readonly stack?: unknown };
  if (Array.isArray(stack)) for (const layer of stack) if (typeof layer?.handle === 'function') mount(layer.handle);
}

export function asRequest(request: ExpressRequest): Request {
  return request as unknown as Request;
}

export function asResponse(response: ExpressResponse): Response {
  return response as unknown as Response;
}
