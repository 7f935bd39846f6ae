# The app, with what prediction needs and without TensorFlow. docs/deploy.md says how to build and run it.
FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /source
COPY pyproject.toml README.md requirements.lock params.yaml ./
COPY src src
RUN uv venv /opt/genredag \
    && uv pip install --no-cache --compile-bytecode --python /opt/genredag/bin/python \
        --constraint requirements.lock '.[predict,app]'

FROM python:3.11-slim
COPY --from=build /opt/genredag /opt/genredag
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin genredag \
    && install -d -o genredag /cache /models
# librosa compiles at its first use, unless Numba finds what it compiled before.
ENV PATH=/opt/genredag/bin:$PATH GENREDAG_CACHE=/cache NUMBA_CACHE_DIR=/cache/numba PYTHONUNBUFFERED=1
USER genredag
VOLUME /cache
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import socket; socket.create_connection(('localhost', 8000), 5)"]
ENTRYPOINT ["genredag"]
CMD ["app", "/models", "--host", "0.0.0.0", "--port", "8000"]
