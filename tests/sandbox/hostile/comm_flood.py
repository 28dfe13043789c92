# verdict: output_limit | memory
# program: timeout | memory
# ruff: noqa
# opens widgets for ever
from comm import create_comm

while True:
    create_comm(
        target_name="jupyter.widget",
        data={
            "state": {
                "_model_module": "@jupyter-widgets/output",
                "_model_name": "OutputModel",
                "outputs": ["x" * 1000],
            }
        },
    )
