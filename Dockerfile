# One image for every process of the fleet; the command decides which. docs/decisions/0022-image-and-compose.md

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node.js itself, and nothing here needs an install script.
RUN npm ci --omit=dev --omit=optional
# What no process here can load: onnxruntime for other systems, types, source maps, read-me files. Licences stay.
RUN cd node_modules/onnxruntime-node/bin \
  && find . -mindepth 3 -maxdepth 3 -type d ! -path "./*/linux/$(node -p process.arch)" -exec rm -r {} + \
  && cd /app/node_modules \
  && find . -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \
    -o -iname readme.md -o -iname changelog.md \) -delete

# The release of Debian that node:24-bookworm-slim is made from, without npm, yarn and corepack.
FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="presage" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.description="A queue-driven inference fleet: producers put prediction work into Redis queues, workers predict and write to MySQL and DynamoDB." \
  org.opencontainers.image.licenses="UNLICENSED"
# HEALTH_PORT: one probe serves every process, whatever else it listens on.
# NODE_COMPILE_CACHE: the only place to write to; commands and probes start in half the time once it is filled.
ENV NODE_ENV=production PATH=/app/bin:$PATH HEALTH_PORT=8081 NODE_COMPILE_CACHE=/tmp/node-compile-cache
WORKDIR /app
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin/presage bin/main.ts ./bin/
COPY migrations ./migrations
COPY models ./models
COPY shared ./shared
COPY producers ./producers
COPY workers ./workers
# A new volume takes over whose folder it is. Group 0 for systems that choose the user themselves.
RUN install -d -o 1000 -g 0 -m 775 /artifacts
# A number, by which Kubernetes sees that it is not root.
USER 1000
# Commands that end by themselves answer nobody: run them with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --retries=3 CMD ["presage", "health"]
# The exec form: signals reach bin/presage, which is the container's init where there is no --init.
ENTRYPOINT ["presage"]
CMD ["--help"]
