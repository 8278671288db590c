import { failures } from './table.ts';

/** Refusals when a hook does not answer as it should. */
export const hookFailure = failures({
  timeout: [
    422,
    'hook_timeout',
    (seconds: number) => `Failed to reach hook within maximum time of ${seconds.toFixed(6)} seconds`,
  ],
  retriesExhausted: [422, 'hook_timeout_after_retry', 'Failed to reach hook after maximum retries'],
  noContentType: [
    400,
    'hook_payload_invalid_content_type',
    'Invalid Content-Type: Missing Content-Type header',
  ],
  contentType: [
    400,
    'hook_payload_invalid_content_type',
    (type: string) => `Invalid JSON response. Received content-type: ${type}`,
  ],
  tooLarge: [
    422,
    'hook_payload_over_size_limit',
    (bytes: number) => `Payload size exceeded size limit of ${bytes} bytes`,
  ],
  unavailable: [500, 'unexpected_failure', 'Service currently unavailable due to hook'],
  badPayload: [500, 'unexpected_failure', 'Invalid payload sent to hook'],
  unauthorized: [500, 'unexpected_failure', 'Hook requires authorization token'],
  status: [
    500,
    'unexpected_failure',
    (status: number) => `Unexpected status code returned from hook: ${status}`,
  ],
  badOutput: [500, 'unexpected_failure', 'Error unmarshaling JSON output.'],
  failed: [500, 'unexpected_failure', (uri: string) => `Error running hook URI: ${uri}`],
  noClaims: [500, 'unexpected_failure', 'output claims field is missing', 'uncoded'],
  badClaims: [
    500,
    'unexpected_failure',
    (problems: string) => `output claims do not conform to the expected schema: \n${problems}`,
    'uncoded',
  ],
});
