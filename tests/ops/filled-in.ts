/** An expression of the dashboard, as Grafana sends it when everything is chosen. */
export function filledIn(expr: string, rateInterval = '1m'): string {
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll(/\$(?:job|instance|pool)\b/g, '.*');
}
