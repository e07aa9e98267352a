# docker build -t paracosm .        (after: python -m build --wheel)
# docker run --rm -v "$PWD:/work" paracosm run healthcare-heart
FROM python:3.11-slim

# On a machine with a GPU, build with --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRAS=""

COPY constraints.txt dist/*.whl /tmp/install/
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" torch==2.13.0 \
 && pip install --no-cache-dir -c /tmp/install/constraints.txt "$(ls /tmp/install/*.whl)$EXTRAS" \
 && paracosm setup \
 && rm -r /tmp/install

# The records in /work belong to the user who starts the container: docker run --user "$(id -u):$(id -g)"
ENV PARACOSM_CACHE=/tmp/paracosm XDG_CACHE_HOME=/tmp
WORKDIR /work
ENTRYPOINT ["paracosm"]
CMD ["--help"]
