# The authorization application (R2), upon any base that has a Python 3.11 or later, and its libraries of SQLite.
# `make image` stages the context, builds it, and has the vendor personalize it; docs/vendor.md says how to by hand.
# Nothing here needs a shell or a network. Whether it is healthy is said by https://ADDRESS:18081/healthz (200 or 503).
ARG BASE=python:3.12-slim
FROM ${BASE}
COPY packages /app/packages
COPY wizard /app/wizard
COPY --chown=65532:65532 folders /app
ENV PYTHONPATH=/app:/app/packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
# Compiled beforehand, for the container keeps nothing: the first answer comes in a third of the time.
RUN ["python3", "/app/wizard/compile.py"]
WORKDIR /app
USER 65532:65532
EXPOSE 18081
ENTRYPOINT ["python3", "-m", "wizard.licensing.server"]
CMD ["--address", "127.0.0.1", "--listen", "0.0.0.0"]
