# One image for both clouds, and a second target for retraining; docs/image.md says how to build and run them.
#
#   docker build --target serve .      Azure's Functions host by itself; Cloud Run gives the command python -m function_gcp.serve
#   docker build --target train .      pneumonia, with what training needs
#
# Behind a registry of your own, pip's settings and a certificate come as secrets (ids pip and ca) and stay in no layer.

# To pin every byte: --build-arg BASE=mcr.microsoft.com/azure-functions/python@sha256:…
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.13

# Azure's worker looks for an app's packages here and, in Azure, sets PYTHONPATH to this folder and its own: docs/decisions/0020.
ARG PACKAGES=/home/site/wwwroot/.python_packages/lib/site-packages

# ---- what serves, from the locked requirements ----
FROM ${BASE} AS serve-packages
COPY requirements/serve.txt /build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    python -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-cache-dir --no-compile \
        --require-hashes --no-deps --only-binary :all: --target /packages -r /build/serve.txt
# No -f: what a new version no longer brings shall be seen here. Protobuf must go, the rest is a fifth of all bytes (docs/decisions/0020).
WORKDIR /packages
RUN rm -r bin google/_upb google/protobuf protobuf-*.dist-info \
        ai_edge_litert/libLiteRtWebGpuAccelerator.so ai_edge_litert/tools ai_edge_litert/vendors libjpeg/_libjpeg.cpp numpy/f2py \
    && find . -depth -type d -name tests -exec rm -r {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

# ---- what trains ----
FROM ${BASE} AS train-packages
COPY requirements/serve.txt requirements/train.txt /build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    python -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-cache-dir --no-compile \
        --require-hashes --no-deps --target /packages -r /build/serve.txt -r /build/train.txt
WORKDIR /packages
RUN rm -r bin && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

# ---- the project ----
FROM ${BASE} AS project
WORKDIR /project
COPY core core
COPY cli cli
COPY function_gcp function_gcp
COPY function_azure function_azure
RUN python -m compileall -q --invalidation-mode unchecked-hash .

FROM ${BASE} AS project-training
WORKDIR /project
COPY training training
RUN python -m compileall -q --invalidation-mode unchecked-hash .

# ---- the image that serves ----
# checkov:skip=CKV_DOCKER_2: both platforms probe /health/ready by themselves
# checkov:skip=CKV_DOCKER_3: Azure's host is made to run as root; function_gcp.serve gives root up
FROM ${BASE} AS serve
ARG PACKAGES
ENV PYTHONPATH=${PACKAGES} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureWebJobsDisableHomepage=true \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT=34603008
COPY --from=serve-packages /packages ${PACKAGES}
COPY model ${PACKAGES}/model
COPY --from=project /project ${PACKAGES}
COPY host.json function_azure/function_app.py /home/site/wwwroot/
COPY infra/image/pneumonia /usr/local/bin/
COPY LICENSE /usr/share/licenses/pneumonia-functions/
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
# pylibjpeg-libjpeg, which reads lossless and 12-bit JPEG in DICOM, is GPL-3.0: so is this image as a whole.
LABEL org.opencontainers.image.title="Pneumonia Functions" \
      org.opencontainers.image.description="Reads chest X-rays: calibrated probability of pneumonia, heat map, or a refusal with its reason. Research use, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-only" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ---- the image that retrains: the entry point is pneumonia, the job's arguments are retrain --job ID ----
# checkov:skip=CKV_DOCKER_2: a job, not a service
FROM ${BASE} AS train
ARG PACKAGES
ENV PYTHONPATH=${PACKAGES} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    HOME=/tmp
COPY --from=train-packages /packages ${PACKAGES}
COPY model ${PACKAGES}/model
COPY --from=project /project ${PACKAGES}
COPY --from=project-training /project ${PACKAGES}
COPY infra/image/pneumonia /usr/local/bin/
COPY LICENSE /usr/share/licenses/pneumonia-functions/
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["pneumonia"]
CMD ["--help"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Pneumonia Functions, retraining" \
      org.opencontainers.image.description="Retrains the active model on what was uploaded. Research use, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-only" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
