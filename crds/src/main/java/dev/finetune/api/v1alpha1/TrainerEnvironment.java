package dev.finetune.api.v1alpha1;

/**
 * How a pod hands the trainer its surroundings: the environment variables and paths that the
 * operator sets and the trainer reads. Whoever runs the trainer by hand needs none of them.
 */
public final class TrainerEnvironment {
  /** Where the operator mounts the recipe. */
  public static final String RECIPE_FILE = "/etc/finetune/recipe.yaml";

  /** Folder under which each claim is mounted by its name; pvc://CLAIM/PATH lies in CLAIM/PATH. */
  public static final String VOLUMES = "FINETUNE_VOLUMES";

  /** Value of {@link #VOLUMES} in a pod. */
  public static final String VOLUMES_FOLDER = "/mnt/volumes";

  /**
   * HOST:PORT on which the trainer serves /progress, /metrics and /healthz. Absent: it serves
   * nothing.
   */
  public static final String LISTEN = "FINETUNE_LISTEN";

  /** File for the {@link TerminationMessage}. Absent: none is written. */
  public static final String TERMINATION_MESSAGE_FILE = "FINETUNE_TERMINATION_MESSAGE_FILE";

  /** Value of {@link #TERMINATION_MESSAGE_FILE} in a pod, Kubernetes' default. */
  public static final String TERMINATION_LOG = "/dev/termination-log";

  /** UID of the FineTuneJob that the trainer works for. Absent outside of a cluster. */
  public static final String JOB_UID = "FINETUNE_JOB_UID";

  /** Number of the attempt, from 1; with {@link #JOB_UID} the run's name. */
  public static final String ATTEMPT = "FINETUNE_ATTEMPT";

  /**
   * Number of pods that train together, by torchrun's and ms-swift's name; with {@link #NODE_RANK},
   * {@link #MASTER_ADDRESS} and {@link #MASTER_PORT}. Absent: one.
   */
  public static final String NODES = "NNODES";

  /** Number of this pod among them, from 0; an Indexed Job's completion index. */
  public static final String NODE_RANK = "NODE_RANK";

  /** Processes that train together in one pod, a rank each. Absent: one for each GPU. */
  public static final String RANKS_PER_NODE = "NPROC_PER_NODE";

  /** Host name or address of the pod with rank 0. It may have none yet when the others start. */
  public static final String MASTER_ADDRESS = "MASTER_ADDR";

  /** Port on which rank 0 is met. */
  public static final String MASTER_PORT = "MASTER_PORT";

  /** Value of {@link #MASTER_PORT} in a pod, torchrun's default. */
  public static final int MASTER_PORT_NUMBER = 29500;

  /** Seconds after which a rank that takes no part counts as lost; the user's. Absent: 600. */
  public static final String RANK_TIMEOUT = "DDP_TIMEOUT";

  /** Seconds for which a rank waits for the others to start; the user's. Absent: 1800. */
  public static final String RANK_START_TIMEOUT = "DDP_START_TIMEOUT";

  private TrainerEnvironment() {}
}
