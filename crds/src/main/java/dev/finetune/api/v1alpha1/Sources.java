package dev.finetune.api.v1alpha1;

/** The form of a source or destination, shared by all fields that name one. */
final class Sources {
  /** pvc://CLAIM/PATH (CLAIM is a DNS-1123 subdomain) or file:///PATH. */
  static final String PATTERN =
      "^(pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[^\\s]*)?|file:///[^\\s]+)$";

  private Sources() {}
}
