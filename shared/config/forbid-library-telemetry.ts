/**
 * Keeps libraries from reporting to their makers. To be called before they are loaded, in the main thread: a native
 * library reads the environment of the process, which other threads have only a copy of.
 */
export function forbidLibraryTelemetry(): void {
  // onnxruntime 1.30 sends events of each session to Microsoft, and leaves files in the folder for temporary ones.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
}
