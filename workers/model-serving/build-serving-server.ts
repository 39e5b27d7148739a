import { createHttpServer, type HttpServerOptions } from '../../shared/http/create-http-server.ts';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { toServingProblem } from './to-serving-problem.ts';
import { addInferenceRoutes } from './routes/open-inference.ts';
import { addModelRoutes } from './routes/models.ts';
import { addPredictRoute, type PredictDependencies } from './routes/predict.ts';

export interface ServingOptions extends HttpServerOptions, PredictDependencies {}

/** The HTTP interface of the models, ready to listen. */
export async function buildServingServer(options: ServingOptions): Promise<HttpServer> {
  const texts = {
    title: 'Presage: models',
    description: 'Answers with the models of the registry, each by its champion.',
  };
  const server = await createHttpServer(options, texts, toServingProblem);
  addModelRoutes(server, options);
  addPredictRoute(server, options);
  await addInferenceRoutes(server, options);
  await server.ready();
  return server;
}
