# The gateway alone; Postgres runs beside it (docker-compose.yml) or elsewhere (OWNBASE_DB_URL).
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# The embedded Postgres is not needed in a container, and neither is any install script.
RUN npm ci --ignore-scripts --omit=optional --include=dev
COPY tsconfig.json tsconfig.build.json ./
COPY build build
COPY src src
COPY sql sql
RUN npm run build \
 && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    OWNBASE_HOST=0.0.0.0 \
    OWNBASE_PORT=8000
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/sql sql
RUN mkdir -p /project/supabase /project/.ownbase && chown -R node:node /project
USER node
VOLUME ["/project/.ownbase"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["start", "--project", "/project"]
