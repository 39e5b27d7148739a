# One image for every process of the fleet; the command decides which.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node.js itself, and nothing here needs an install script.
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
ENV NODE_ENV=production PATH=/app/bin:$PATH
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY migrations ./migrations
COPY models ./models
COPY shared ./shared
COPY producers ./producers
COPY workers ./workers
# A new volume takes over whose folder it is.
RUN install -d -o node /artifacts
USER node
ENTRYPOINT ["presage"]
CMD ["--help"]
