/** Why bytes that a client or an endpoint sent are not taken. */
export interface ParseError {
  /** Which of the proxy's own responses a client gets for it. */
  readonly response:
    | 'bad-request'
    | 'version-not-supported'
    | 'ambiguous-framing'
    | 'bad-host'
    | 'request-timeout'
    | 'expectation-failed'
    | 'head-too-large'
    | 'body-too-large';
  /** What exactly was wrong: stable, for logs and for the metric of refused heads. */
  readonly cause: string;
}

function refused(response: ParseError['response'], cause: string): ParseError {
  return Object.freeze({ response, cause });
}

/** RFC sections are those that make each of them an error, or allow a server to treat it as one. */
export const parseErrors = {
  /** RFC 9112, 3.1. */
  method: refused('bad-request', 'bad-method'),
  /** RFC 9112, 3.2. */
  target: refused('bad-request', 'bad-target'),
  /** RFC 9112, 2.3. */
  version: refused('bad-request', 'bad-version'),
  /** RFC 9110, 15.6.6. */
  versionNotSupported: refused('version-not-supported', 'other-major-version'),
  /** RFC 9112, 2.2: a bare CR or LF is read differently by different servers. */
  lineEnding: refused('bad-request', 'bad-line-ending'),
  /** RFC 9112, 5.1: also whitespace between name and colon. */
  fieldName: refused('bad-request', 'bad-field-name'),
  /** RFC 9110, 5.5. */
  fieldValue: refused('bad-request', 'bad-field-value'),
  /** RFC 9112, 5.2. */
  obsFold: refused('bad-request', 'obs-fold'),
  /** RFC 9112, 3.2. */
  hostMissing: refused('bad-host', 'host-missing'),
  hostDuplicate: refused('bad-host', 'host-duplicate'),
  hostInvalid: refused('bad-host', 'host-invalid'),
  /** RFC 9112, 6.3. */
  contentLength: refused('ambiguous-framing', 'bad-content-length'),
  contentLengthDuplicate: refused('ambiguous-framing', 'content-length-duplicate'),
  /** RFC 9112, 6.1: Transfer-Encoding beside Content-Length. */
  framingConflict: refused('ambiguous-framing', 'framing-conflict'),
  /** RFC 9112, 6.1: anything but a single `chunked`. */
  transferEncoding: refused('ambiguous-framing', 'bad-transfer-encoding'),
  /** RFC 9112, 6.1: HTTP/1.0 has none. */
  transferEncodingInHttp10: refused('ambiguous-framing', 'transfer-encoding-in-http-1.0'),
  /** RFC 9112, 7.1. */
  chunk: refused('ambiguous-framing', 'bad-chunk'),
  /** RFC 9112, 7.1.2. */
  trailer: refused('ambiguous-framing', 'bad-trailer'),
  /** RFC 9110, 15.5.9: half a head, and then nothing. */
  requestTimeout: refused('request-timeout', 'head-late'),
  /** RFC 9110, 10.1.1 and 15.5.18. */
  expectation: refused('expectation-failed', 'expectation-failed'),
  /** RFC 9110, 15.5.14. */
  bodyTooLarge: refused('body-too-large', 'body-too-large'),
  /** RFC 6585, 5. */
  headTooLarge: refused('head-too-large', 'head-too-large'),
  tooManyFields: refused('head-too-large', 'too-many-fields'),
} as const;
