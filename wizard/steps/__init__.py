"""The seven steps, in order. An eighth is one module, one template, one line here, and one test."""

from wizard.flow import Flow
from wizard.steps import code, deploy, node, port, register, scan, upload

FLOW = Flow(
    (
        upload.STEP,
        node.STEP,
        port.STEP,
        deploy.STEP,
        scan.STEP,
        code.STEP,
        register.STEP,
    )
)
