import {
  type ChallengeBoard,
  challengeBoard,
  noChallengeResponses,
  type OpenChallengeResponses,
} from '@swarmgate/acme/challenge-responses';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';

/** The responses in force in this process: one reference that moves. */
export class LiveChallenges implements ChallengeResponses {
  #board: ChallengeBoard = challengeBoard(noChallengeResponses);

  replace(responses: OpenChallengeResponses): void {
    this.#board = challengeBoard(responses);
  }

  challengeResponse(host: string, token: string): string | undefined {
    return this.#board.challengeResponse(host, token);
  }

  alpnResponse(serverName: string): ReturnType<ChallengeResponses['alpnResponse']> {
    return this.#board.alpnResponse(serverName);
  }
}
