# Nothing is built: Node runs the TypeScript as it is. The first stage is there so that npm's cache stays behind.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY contract/package.json contract/
COPY server/package.json server/
COPY bench/package.json bench/
RUN npm ci --omit=dev --workspace=posthorn --ignore-scripts --no-audit --no-fund

FROM node:26-slim
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY contract contract
COPY server server
RUN mkdir /data /app/compiled && chown node /data /app/compiled
USER node
# Compiled code is kept by user and version, so this must run as the user and on the Node that will serve. It also is the proof that
# what was copied is enough: a server that does not start, or does not stop when told to, ends the build.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compiled
RUN POSTHORN_DATABASE=sqlite:/tmp/first.db timeout --preserve-status 20 node server/bin/posthorn.mjs serve && rm /tmp/first.db*

ENV POSTHORN_LISTEN=0.0.0.0:8071 POSTHORN_DATABASE=sqlite:/data/posthorn.db
VOLUME /data
EXPOSE 8071
# Whether the process turns, not whether its database answers: a restart does not mend that. For another port, say it anew.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8071/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/server/bin/posthorn.mjs"]
CMD ["serve"]
