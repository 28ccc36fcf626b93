import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostOf, largeBytes, services, smallBody } from './cases.ts';

/** The service behind all proxies: nginx, which costs least. @param http2Port where it speaks HTTP/2 in plain text, and nothing else */
export function backendConfiguration(directory: string, port: number, http2Port: number): string {
  mkdirSync(join(directory, 'www'), { recursive: true });
  writeFileSync(join(directory, 'www', 'large'), 'x'.repeat(largeBytes));
  const file = join(directory, 'backend.conf');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${directory}/backend.pid; error_log ${directory}/backend-error.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; sendfile on; tcp_nopush on;
  ${temporaries(directory, 'backend')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${http2Port} http2 backlog=4096;
    location /large { root ${directory}/www; default_type application/octet-stream; }
    location /headers {
      add_header Cache-Control "max-age=60"; add_header ETag '"0123456789"'; add_header X-Content-Type-Options nosniff;
      default_type text/plain; return 200 "hello world\\n";
    }
    location / { default_type text/plain; return 200 "hello world\\n"; }
  }
}
`,
  );
  if (smallBody !== 'hello world\n') throw new Error('the backend responds with another body than the cases expect');
  return file;
}

export interface HaproxyOptions {
  readonly name: string;
  readonly port: number;
  readonly backendPort: number;
  readonly accessLog?: true;
  readonly pem?: string;
  /** Without TLS it is all that the port speaks. */
  readonly http2?: true;
  /** Of the backend. Default: HTTP/1.1. */
  readonly http2Out?: true;
}

/** The same 10,000 services by a map file, the same forwarding headers, one thread. */
export function haproxyConfiguration(directory: string, options: HaproxyOptions): string {
  const { name, port, backendPort, accessLog, pem, http2, http2Out } = options;
  const out = http2Out === undefined ? '' : ' proto h2';
  const protocol = http2 === undefined ? '' : pem === undefined ? ' proto h2' : ' alpn h2,http/1.1';
  const map = join(directory, 'hosts.map');
  const backends = Array.from(
    { length: services },
    (_, at) => `backend b${at}\n  server s 127.0.0.1:${backendPort}${out}`,
  );
  writeFileSync(map, Array.from({ length: services }, (_, at) => `${hostOf(at)} b${at}`).join('\n'));
  const file = join(directory, `${name}.cfg`);
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4000
${accessLog ? '  log stdout format raw local0' : ''}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  http-reuse always
${accessLog ? '  log global\n  option httplog' : ''}
frontend in
  bind 127.0.0.1:${port}${pem === undefined ? '' : ` ssl crt ${pem}`}${protocol}
  option forwardfor
  unique-id-format %{+X}o%ci:%cp_%Ts_%rt
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto ${pem === undefined ? 'http' : 'https'}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port ${port}
  http-request add-header Via "1.1 haproxy"
  use_backend %[req.hdr(host),lower,map(${map})]
${backends.join('\n')}
`,
  );
  return file;
}

/**
 * @param protocol what the port speaks, beyond HTTP/1.1; with `http2`, which has no TLS here, nothing else
 * @param pem key and certificate, with `ssl`
 */
export function nginxConfiguration(
  directory: string,
  port: number,
  backendPort: number,
  protocol: '' | 'http2' | 'ssl' = '',
  pem = '',
): string {
  const name = `nginx${protocol}`;
  const file = join(directory, `${name}.conf`);
  const map = Array.from({ length: services }, (_, at) => `    ${hostOf(at)} service;`).join('\n');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${directory}/${name}.pid; error_log ${directory}/${name}-error.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  map_hash_max_size 65536; map_hash_bucket_size 128;
  ${temporaries(directory, name)}
  upstream service { server 127.0.0.1:${backendPort}; keepalive 512; keepalive_requests 1000000000; }
  map $host $upstream {
${map}
  }
  server {
    listen 127.0.0.1:${port} ${protocol} backlog=4096;
    ${pem === '' ? '' : `ssl_certificate ${pem}; ssl_certificate_key ${pem}; ssl_protocols TLSv1.2 TLSv1.3;`}
    location / {
      proxy_pass http://$upstream; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Request-Id $request_id; proxy_set_header Via "1.1 nginx";
    }
  }
}
`,
  );
  return file;
}

/** Caddy matches routes one by one, so it gets one route only: its figure is its best. */
export function caddyConfiguration(directory: string, port: number, backendPort: number): string {
  const file = join(directory, 'caddy.json');
  const handle = [{ handler: 'reverse_proxy', upstreams: [{ dial: `127.0.0.1:${backendPort}` }] }];
  const servers = {
    bench: {
      listen: [`127.0.0.1:${port}`],
      routes: [{ handle }],
      automatic_https: { disable: true },
      protocols: ['h1', 'h2c'],
    },
  };
  writeFileSync(file, JSON.stringify({ admin: { disabled: true }, apps: { http: { servers } } }));
  return file;
}

function temporaries(directory: string, name: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(directory, `${name}-${kind}`)};`)
    .join(' ');
}
