export { type AcmeSettings, type OrderingRules, orderingRules } from './acme-settings.ts';
export {
  AutomaticCertificates,
  type AutomaticCertificatesOptions,
  type ServedView,
} from './automatic-certificates.ts';
export type { ServiceNames } from './names/select-names.ts';
export type { ImportedCertificate } from './ordering/import-certificates.ts';
export type { OrdererEvents } from './ordering/orderer-options.ts';
export type { OrderedCertificate, WaitingName } from './report/certificate-listing.ts';
export type { HeadMark } from './storage/acme-head.ts';
