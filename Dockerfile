# docker build -t prism-dist . && docker run --rm -v "$PWD:/data" prism-dist GRAPH.col
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts scripts
RUN bash scripts/setup.sh
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=/usr/local \
 && cmake --build --preset release \
 && cmake --install build/release --strip

FROM debian:12-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      openmpi-bin openssh-client libopenmpi3 libhdf5-103-1 libiniparser1 zlib1g \
      libncursesw6 libmicrohttpd12 \
      python3 python3-h5py python3-numpy python3-matplotlib python3-pandas \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local /usr/local
ENV OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
WORKDIR /data
ENTRYPOINT ["prism-dist"]
CMD ["--help"]
