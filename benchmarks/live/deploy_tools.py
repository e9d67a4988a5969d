"""Tools that check deploy/ and the Dockerfile: Helm renders the chart, kubeconform validates objects, BuildKit checks the Dockerfile.

Built as the gateways that come as Go source.
"""

from __future__ import annotations

from typing import Final

from benchmarks.live.golang import GoProgram

HELM: Final = GoProgram("helm", "4.3.2", "helm.sh/helm/v4/cmd/helm", "helm")
KUBECONFORM: Final = GoProgram("kubeconform", "0.8.0", "github.com/yannh/kubeconform/cmd/kubeconform", "kubeconform")
DOCKERFILE_LINT: Final = GoProgram("dockerfile-lint", "0.34.2", ".", "dockerfile_lint")
