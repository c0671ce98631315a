# trawl for the CPU.  docker compose up --build

FROM docker.io/library/node:22-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY docs/openapi.json /src/docs/openapi.json
COPY web ./
RUN npm run types && npm run build

FROM docker.io/library/rust:1-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends clang cmake libclang-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=page /src/web/dist web/dist
# whisper.cpp for any x86-64 since 2013 and not for the machine that builds; other architectures ignore these.
ARG GGML_NATIVE=OFF
ARG GGML_AVX2=ON
ARG GGML_FMA=ON
ARG GGML_F16C=ON
ARG GGML_BMI2=ON
ENV GGML_NATIVE=$GGML_NATIVE GGML_AVX2=$GGML_AVX2 GGML_FMA=$GGML_FMA GGML_F16C=$GGML_F16C GGML_BMI2=$GGML_BMI2
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin trawl \
    && install -D target/release/trawl /out/trawl

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates ffmpeg libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin trawl \
    && install -d -o trawl -g trawl /data /models
COPY --from=build /out/trawl /usr/local/bin/trawl
# Inside a container only the published port decides who reaches trawl: publish it on 127.0.0.1 (compose.yaml does), where
# `local` answers; behind a proxy that checks who calls, set TRAWL__AUTH__MODE=off.
ENV TRAWL__SERVER__BIND=0.0.0.0:8000 \
    TRAWL__AUTH__MODE=local \
    TRAWL__PATHS__DATA=/data \
    TRAWL__PATHS__TEMP=/data/temp_files \
    TRAWL__MODELS__DIR=/models
USER trawl
WORKDIR /data
VOLUME ["/data", "/models"]
EXPOSE 8000
CMD ["trawl", "serve"]
