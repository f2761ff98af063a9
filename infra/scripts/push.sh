#!/usr/bin/env bash
# Push both images to the registry of TO=gcp or TO=azure, where they are not there yet. Called by `make push`.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
case ${TO:-} in
  gcp) source infra/scripts/gcp.bash ;;
  azure) source infra/scripts/azure.bash ;;
  *) fail "Expected TO=gcp or TO=azure. Received: ${TO:-nothing}." ;;
esac
"check_$TO"
[ "$TO" = gcp ] || [ -n "$REGISTRY" ] || fail "Expected a registry in $GROUP. Received: none. The first deployment makes it: make deploy-azure"

say "Push to $(registry_url)
  $(local_image serve) as serve:$COMMIT
  $(local_image train) as train:$COMMIT

  Costs money: storage of the images, 0.5 to 3 GB each."
confirm "make push TO=$TO"

push_images
for target in $TARGETS; do say "$(pinned "$target")"; done
