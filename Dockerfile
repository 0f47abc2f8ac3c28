# docker build --tag gallery . && docker run --rm --volume "$PWD:/data" gallery enroll characters
FROM python:3.11-slim AS build

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY gallery gallery
COPY migrations migrations
COPY models models
RUN python -m venv /opt/gallery \
    && /opt/gallery/bin/pip install --no-cache-dir '.[video,web,fonts,postgres]'

FROM python:3.11-slim

COPY --from=build /opt/gallery /opt/gallery
RUN useradd --create-home --uid 1000 gallery \
    && install --directory --owner=gallery --group=gallery --mode=1777 /data
ENV PATH=/opt/gallery/bin:$PATH \
    GALLERY_DATABASE=/data/gallery.db \
    GALLERY_CACHE=/tmp/gallery-cache
USER gallery
WORKDIR /data
VOLUME /data

# The one that a container serves with is as well as the doctor finds all that it stands on.
HEALTHCHECK --interval=5m --timeout=60s --start-period=30s CMD ["gallery", "doctor"]

ENTRYPOINT ["gallery"]
