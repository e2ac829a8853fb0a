"""What setup.cfg cannot say: `configs/` is a part of the package where it is installed."""

import setuptools

setuptools.setup(
    packages=[*setuptools.find_packages(include=["symmflow_jax*"]), "symmflow_jax.configs"],
    package_dir={"symmflow_jax.configs": "configs"},
)
