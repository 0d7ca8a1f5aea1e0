# The grown form's image: the source, installed editable, since templates/ and examples/ stand beside manage.py.
FROM python:3.13-slim

RUN useradd --create-home --uid 1000 stackyard \
    && install --directory --owner stackyard /app /home/stackyard/data
USER stackyard
WORKDIR /app

# Requirements first: they change less often than the source. The last line, `--editable .`, needs the source.
COPY --chown=stackyard requirements.txt pyproject.toml README.md ./
RUN python -m venv .venv \
    && grep --invert-match editable requirements.txt > /tmp/requirements.txt \
    && .venv/bin/pip install --no-cache-dir --requirement /tmp/requirements.txt
COPY --chown=stackyard . .
RUN .venv/bin/pip install --no-cache-dir --no-deps --editable . \
    && STACKYARD_HOME=/tmp/home .venv/bin/python manage.py build_console \
    && rm -rf /tmp/home

ENV STACKYARD_HOME=/home/stackyard/data HOST=0.0.0.0 PORT=8000
VOLUME /home/stackyard/data
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD [".venv/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD [".venv/bin/python", "manage.py", "up"]
