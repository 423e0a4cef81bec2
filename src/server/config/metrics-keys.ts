// The configuration keys of metrics, and what they mean together.

export const METRICS_HOST = '127.0.0.1';
const METRICS_PATH = '/metrics';

export interface MetricsKeys {
  readonly metrics: boolean | string;
  readonly metricsPort: number | undefined;
  readonly metricsSocket: string | undefined;
}

/** The path of the metrics, which a listener for them turns on, too; null where there is none. */
export function metricsPath({ metrics, metricsPort, metricsSocket }: MetricsKeys): string | null {
  if (typeof metrics === 'string') return metrics;
  const hasListener = metricsPort !== undefined || metricsSocket !== undefined;
  return metrics || hasListener ? METRICS_PATH : null;
}
