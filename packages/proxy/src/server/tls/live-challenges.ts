import { type AnswerBoard, answerBoard, noAnswers, type OpenAnswers } from '@swarmgate/acme/answers';
import type { ChallengeAnswers } from '../../model/challenge-answers.ts';

/** The answers in force in this process: one reference that moves. */
export class LiveChallenges implements ChallengeAnswers {
  #board: AnswerBoard = answerBoard(noAnswers);

  replace(answers: OpenAnswers): void {
    this.#board = answerBoard(answers);
  }

  challengeAnswer(host: string, token: string): string | undefined {
    return this.#board.challengeAnswer(host, token);
  }

  alpnAnswer(serverName: string): ReturnType<ChallengeAnswers['alpnAnswer']> {
    return this.#board.alpnAnswer(serverName);
  }
}
