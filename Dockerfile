# The image of the booking system: the web server by default; compose.yaml runs its other commands from it, too.
# The root file system may be read-only: only /dev/shm is written, and /tmp by exports. See docs/deploying.md.

FROM python:3.13-slim AS build
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /opt/venv && pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . ./
# The settings want these two variables. collectstatic uses neither, and no layer keeps them.
RUN SECRET_KEY=of-no-use DATABASE_URL=sqlite://:memory: python manage.py collectstatic --no-input && \
    python -m compileall -q --invalidation-mode unchecked-hash booking_system_api core && \
    install -d -m 1777 /var/lib/booking

FROM python:3.13-slim
# PORT: gunicorn listens for every address; platforms set another port.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=8000
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# A volume here keeps what deploy/container/make_secrets.py makes.
COPY --from=build /var/lib/booking /var/lib/booking
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "deploy/container/healthcheck.py"]
# gunicorn is process 1. After the TERM of a stop it takes no new request, and has 30 seconds for those that it has.
CMD ["gunicorn", "--worker-tmp-dir", "/dev/shm", "booking_system_api.wsgi:application"]
