import { grpcTypeOf, grpcWebForm } from '../http/grpc/grpc-web.ts';
import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/**
 * `grpcWeb`: a call of gRPC-Web goes to the endpoint as one of gRPC. The exchange translates the bodies by the form that is
 * noted here, and the response by its list of fields, which `onResponse` requires.
 */
export const grpcWeb: Middleware = {
  name: 'grpcWeb',
  onRequest(exchange) {
    const { request, method } = exchange;
    const type = request.get('content-type');
    const form = method === 'POST' ? grpcWebForm(type) : undefined;
    if (form === undefined || type === undefined) return proceed;
    exchange.grpcWeb = { form, timeout: request.get('grpc-timeout') };
    request.set('content-type', grpcTypeOf(type));
    return proceed;
  },
  onResponse() {},
};
