import type { ServiceDefinition } from '@swarmgate/labels';
import type { EndpointsDocument } from '../src/definition/endpoints-document.ts';
/** A valid definition; the port tells versions of it apart. */
export declare function definitionOf(owner: string, service: string, port?: number): ServiceDefinition;
export declare function endpointsOf(owner: string, service: string, address?: string): EndpointsDocument;
