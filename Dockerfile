# Two images from one: "gateway", the reference gateway, and "conformance", the runner.
FROM node:24.21.0-trixie-slim AS packages
WORKDIR /trustspec
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=peer --no-audit --no-fund --loglevel=error

FROM node:24.21.0-trixie-slim AS trustspec
ENV NODE_ENV=production
WORKDIR /trustspec
COPY --from=packages /trustspec/node_modules ./node_modules
COPY . .
RUN mkdir -p /reports /state && chown node:node /reports /state
USER node
ENTRYPOINT ["node", "/trustspec/harness/cli/main.ts"]

FROM trustspec AS gateway
EXPOSE 8787
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "require('node:net').connect(8787).on('connect', () => process.exit(0)).on('error', () => process.exit(1))"]
CMD ["gateway", "--help"]

FROM trustspec AS conformance
HEALTHCHECK NONE
VOLUME /reports
CMD ["run"]
