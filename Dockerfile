# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/why401 \
 && /opt/why401/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY collector collector
COPY analyzer analyzer
COPY why401 why401
COPY docs/gateways docs/gateways
COPY dashboard dashboard
# What it needs is installed and checked by hash above; this adds the three packages and nothing else.
RUN /opt/why401/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .
# The bill of materials (CycloneDX) of exactly this environment. What writes it stays behind in this stage.
COPY requirements/audit.txt requirements/audit.txt
RUN python -m venv /opt/audit \
 && /opt/audit/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/audit.txt \
 && mkdir -p /opt/why401/share \
 && /opt/audit/bin/cyclonedx-py environment /opt/why401/bin/python --pyproject pyproject.toml --mc-type application \
      --output-reproducible --output-file /opt/why401/share/why401.cdx.json

FROM python:3.11-slim-bookworm
COPY --from=build /opt/why401 /opt/why401
# A volume takes owner and mode from the folder that it covers.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent why401 \
 && install -d -o why401 -g why401 -m 0700 /var/lib/why401
ENV PATH=/opt/why401/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    WHY401_DATA_DIR=/var/lib/why401
USER why401
WORKDIR /var/lib/why401
VOLUME /var/lib/why401
ENTRYPOINT ["why401"]
CMD ["--help"]
