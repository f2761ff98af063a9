// The Function App on an Elastic Premium plan: an instance is always ready, billed by the hour.

@description('Name of the Function App.')
param name string

@description('Name of the plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Image.')
param image string

@description('Resource id of the identity that pulls, reads secrets and acts.')
param identityId string

@description('Its client id.')
param identityClientId string

@description('Name and value of each app setting.')
param settings array

@description('Address of the vault, with a slash at its end.')
param vaultUrl string

@description('Whether the vault holds admin-token.')
param useAdminToken bool

@description('Whether the vault holds api-key.')
param useApiKey bool

@description('Instances that are always ready.')
param minInstances int

@description('Most instances.')
param maxInstances int

var adminSetting = useAdminToken ? [
  {
    name: 'PNEUMONIA_ADMIN_TOKEN'
    value: '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/admin-token)'
  }
] : []
var keySetting = useApiKey ? [
  {
    name: 'PNEUMONIA_API_KEY'
    value: '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/api-key)'
  }
] : []
var hostSettings = [
  {
    name: 'FUNCTIONS_EXTENSION_VERSION'
    value: '~4'
  }
  {
    name: 'WEBSITES_ENABLE_APP_SERVICE_STORAGE' // else a mount hides what the image has at its script root
    value: 'false'
  }
  {
    name: 'AzureWebJobsSecretStorageType' // function keys lie in the host's own account
    value: 'blob'
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'elastic'
  sku: {
    name: 'EP1'
    tier: 'ElasticPremium'
    capacity: minInstances
  }
  properties: {
    reserved: true // Linux
    maximumElasticWorkerCount: maxInstances
  }
}

resource functionApp 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux,container'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      linuxFxVersion: 'DOCKER|${image}'
      acrUseManagedIdentityCreds: true
      acrUserManagedIdentityID: identityClientId
      appSettings: concat(settings, hostSettings, adminSetting, keySetting)
      healthCheckPath: '/health/live'
      http20Enabled: true
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      remoteDebuggingEnabled: false
      minimumElasticInstanceCount: minInstances
      functionAppScaleLimit: maxInstances
    }
  }
}

// Who deploys does so as an identity: no passwords for FTP and for pushing code.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: functionApp
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: functionApp
  name: 'scm'
  properties: {
    allow: false
  }
}
