import colors from 'picocolors';
import type { RouteTally, ShadowReport } from '../shadow/tally.ts';

/** What a shadow saw, for people: routes with differences first. */
export function shadowText(report: ShadowReport): string {
  const { requests, replayed, dropped, large, routes } = report;
  const same = routes.reduce((sum, route) => sum + route.same, 0);
  const extra = [
    ...(dropped > 0 ? [`${dropped} dropped because too many were waiting`] : []),
    ...(large > 0 ? [`${large} too large to compare their bodies`] : []),
  ];
  return [
    ...routes.flatMap(block),
    '',
    `${requests} requests, ${replayed} compared, ${colors.bold(`${same} the same`)}${extra.map((text) => `, ${text}`).join('')}.`,
  ].join('\n');
}

function block(route: RouteTally): string[] {
  const { compared, same, differentStatus, differentBody, unanswered, upstreamMs, ownbaseMs, examples } =
    route;
  const isSame = same === compared && unanswered === 0;
  const facts = [
    `${same} of ${compared} the same`,
    ...(differentStatus > 0 ? [colors.red(`${differentStatus} with another status`)] : []),
    ...(differentBody > 0 ? [colors.red(`${differentBody} with another body`)] : []),
    ...(unanswered > 0 ? [colors.red(`${unanswered} without an answer`)] : []),
    ...(upstreamMs === null || ownbaseMs === null
      ? []
      : [colors.dim(`${Math.round(upstreamMs)} ms there, ${Math.round(ownbaseMs)} ms here`)]),
  ];
  return [
    `${isSame ? colors.green('✓') : colors.red('✗')} ${colors.bold(route.route)}  ${facts.join(', ')}`,
    ...examples.map(({ at, upstream, ownbase }) => `    ${at}: ${cut(upstream)} there, ${cut(ownbase)} here`),
  ];
}

const cut = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
