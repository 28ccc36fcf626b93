import type { RequestHandler } from 'express';
import { createExpressRouter } from '../src/express/express-router.ts';
import { type MakeServer, makeCoreServer } from './server-rig.ts';

/** A server whose every route runs these before it forwards. */
export const withPlugins =
  (...plugins: readonly RequestHandler[]): MakeServer =>
  (material) =>
    makeCoreServer({
      ...material,
      context: { ...material.context, handlerOf: createExpressRouter({ pluginsOf: () => plugins }) },
    });

export const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
