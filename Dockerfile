# docker build -t baonet . && docker run --rm baonet run configs/ping-pong.yaml
# A node of a machine over several hosts: nodes/compose.yaml, nodes/kubernetes
FROM python:3.11-slim AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY baonet baonet
COPY configs configs
COPY examples/guests/bin examples/guests/bin
COPY examples/guests/bin-riscv examples/guests/bin-riscv
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=build /wheels /wheels
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --no-index --find-links /wheels baonet && rm -rf /wheels \
    && useradd --create-home --uid 10001 baonet
WORKDIR /home/baonet
COPY --chown=baonet configs configs
COPY --chown=baonet examples/guests/bin examples/guests/bin
COPY --chown=baonet examples/guests/bin-riscv examples/guests/bin-riscv
# By its number, so that Kubernetes knows that it is not root.
USER 10001
# Of 'baonet node --listen'
EXPOSE 7470
ENTRYPOINT ["baonet"]
