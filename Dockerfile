# docker build -t gallery . && docker run --rm -v "$PWD/pictures:/pictures" gallery \
#     .venv/bin/gallery --database /pictures/gallery.db enroll /pictures/characters
FROM debian:12-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /gallery
COPY . .
RUN make install

CMD ["make", "demo"]
