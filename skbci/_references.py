"""Papers that docstrings of several rooms cite, written once."""

from __future__ import annotations

__all__ = ["REFERENCES"]

#: By the name that stands for a paper, in ``.. [1] %(name)s`` and what follows it.
REFERENCES = {
    "adaptive_batch_norm_paper": """
    Y. Li, N. Wang, J. Shi, X. Hou and J. Liu, "Adaptive batch normalization for practical
    domain adaptation", Pattern Recognition 80, 2018
    """,
    "alphagrad_paper": """
    R. Chaisaen, P. Autthasan, A. Ditthapron, T. Wilaiprasitporn (2025). AlphaGrad:
    Normalized Gradient Descent for Adaptive Multi-loss Functions in EEG-based Motor Imagery
    Classification. IEEE Journal of Biomedical and Health Informatics.
    doi:10.1109/JBHI.2025.3572197
    """,
    "cca_paper": """
    Z. Lin, C. Zhang, W. Wu and X. Gao, "Frequency recognition based on canonical
    correlation analysis for SSVEP-based BCIs", IEEE Transactions on Biomedical Engineering
    53(12), 2006
    """,
    "erp_tutorial": """
    B. Blankertz, S. Lemm, M. Treder, S. Haufe and K.-R. Mueller, "Single-trial analysis
    and classification of ERP components: a tutorial", NeuroImage 56, 2011
    """,
    "fbcsp_paper": """
    K. K. Ang et al., "Filter bank common spatial pattern algorithm on BCI competition IV
    datasets 2a and 2b", Frontiers in Neuroscience 6:39, 2012
    """,
    "fbmsnet_paper": """
    K. Liu et al. (2023). FBMSNet: A Filter-Bank Multi-Scale Convolutional Neural Network
    for EEG-Based Motor Imagery Decoding. IEEE Transactions on Biomedical Engineering.
    doi:10.1109/TBME.2022.3193277
    """,
    "hjb_paper": """
    T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for
    Neural Networks With Applications in Brain-Computer Interface. IEEE Transactions on
    Emerging Topics in Computational Intelligence. doi:10.1109/TETCI.2018.2858761
    """,
    "min2net_paper": """
    P. Autthasan et al. (2022). MIN2Net: End-to-End Multi-Task Learning for
    Subject-Independent Motor Imagery EEG Classification. IEEE Transactions on Biomedical
    Engineering. doi:10.1109/TBME.2021.3137184
    """,
    "moabb_paper": """
    V. Jayaram and A. Barachant, "MOABB: trustworthy algorithm benchmarking for BCIs",
    Journal of Neural Engineering 15, 2018
    """,
    "online_learning_paper": """
    J. del R. Millan, "On the need for on-line learning in brain-computer interfaces",
    International Joint Conference on Neural Networks, 2004
    """,
    "permutation_paper": """
    Q. Noirhomme et al., "Biased binomial assessment of cross-validated estimation of
    classification accuracies illustrated in diagnosis predictions", NeuroImage: Clinical 4,
    2014, 687-694
    """,
    "procrustes_paper": """
    P. L. C. Rodrigues, C. Jutten and M. Congedo, "Riemannian Procrustes analysis: transfer
    learning for brain-computer interfaces", IEEE Transactions on Biomedical Engineering 66(8),
    2019
    """,
    "riemannian_kernel_paper": """
    A. Barachant, S. Bonnet, M. Congedo and C. Jutten, "Classification of covariance
    matrices using a Riemannian-based kernel for BCI applications", Neurocomputing 112, 2013
    """,
    "snip_paper": """
    N. Lee, T. Ajanthan, P. H. S. Torr (2019). SNIP: Single-shot Network Pruning based on
    Connection Sensitivity. International Conference on Learning Representations
    """,
    "sparse_multitask_paper": """
    H.-B. Shin, K. Yin, S.-W. Lee (2023). Sparse Multitask Learning for Efficient Neural
    Representation of Motor Imagery and Execution. arXiv:2312.05828
    """,
}
